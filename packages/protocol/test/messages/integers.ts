/** Finds every integer field of a message by its schema, so that a new field is found by itself. */
import { z } from 'zod';

export interface IntegerField {
  /** From the body down; `0` is the first item of a list. */
  readonly path: readonly (string | number)[];
  readonly min: number;
  readonly max: number;
}

interface JsonSchema {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
}

export const integerFields = (schema: z.ZodType): IntegerField[] => walk(z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' }) as JsonSchema, []);

const walk = (schema: JsonSchema, path: IntegerField['path']): IntegerField[] => {
  if (schema.type === 'number') throw new Error(`${path.join('.')} is a number that need not be whole: the wire has none`);
  if (schema.type === 'integer') return [{ path, min: schema.minimum ?? Number.MIN_SAFE_INTEGER, max: schema.maximum ?? Number.MAX_SAFE_INTEGER }];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => walk(property, [...path, name])),
    ...(schema.prefixItems ?? (schema.items ? [schema.items] : [])).flatMap((item, at) => walk(item, [...path, at])),
    ...(schema.anyOf ?? []).flatMap((choice) => walk(choice, path)),
  ];
};

export const valueAt = (value: unknown, path: IntegerField['path']): unknown => path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | undefined)?.[step], value);

/** A copy with another value there. */
export const withValueAt = (value: unknown, [step, ...rest]: IntegerField['path'], given: unknown): unknown => {
  if (step === undefined) return given;
  const changed = withValueAt((value as Record<string | number, unknown>)[step], rest, given);
  return Array.isArray(value) ? value.map((item: unknown, at) => (at === step ? changed : item)) : { ...(value as object), [step]: changed };
};
