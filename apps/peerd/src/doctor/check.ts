import type { DoctorCheck } from '@peerd/protocol';

export const ok = (name: string, message: string): DoctorCheck => ({ name, state: 'ok', message, hint: null });
export const warn = (name: string, message: string, hint: string): DoctorCheck => ({ name, state: 'warn', message, hint });
export const fail = (name: string, message: string, hint: string): DoctorCheck => ({ name, state: 'fail', message, hint });

export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
