/** Below one page of a list. Empty when it is all of it. */
export const pageLines = (command: string, offset: number, shown: number, total: number): string[] => {
  if (shown === total) return [];
  if (shown === 0) return [`nothing at offset ${offset}: there are ${total}`];
  const end = offset + shown;
  return ['', `${offset + 1} to ${end} of ${total}${end < total ? `; the next: peerctl ${command} --offset ${end}` : ''}`];
};
