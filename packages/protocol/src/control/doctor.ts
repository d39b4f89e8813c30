/** GET /v1/doctor: what the daemon finds wrong with its surroundings, and what to do about it */
import { z } from 'zod';

export interface DoctorCheck {
  /** Stable, in kebab-case; what there are several of has its name behind a colon. */
  name: string;
  state: 'ok' | 'warn' | 'fail';
  /** Escaped for display. */
  message: string;
  /** What to do about it; `null` when there is nothing to do. */
  hint: string | null;
}

export interface DoctorResponse {
  checks: DoctorCheck[];
}
export const doctorResponseSchema: z.ZodType<DoctorResponse> = z.object({
  checks: z.array(z.object({ name: z.string(), state: z.enum(['ok', 'warn', 'fail']), message: z.string(), hint: z.string().nullable() })),
});
