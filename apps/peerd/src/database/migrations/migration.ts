/** One step of the schema. Ids count up from 1 without gaps; a step that was released is never changed. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}
