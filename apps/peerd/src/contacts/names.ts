/** When two names are the same to a person (design §3). */
import unhomoglyph from 'unhomoglyph';

/** Nothing that can be seen (Unicode: Default_Ignorable_Code_Point), and control characters. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu;

/**
 * NFC, trimmed, without invisible characters, and every character replaced by the one that it can be mistaken for
 * (Unicode TS 39 §4, skeleton). The result is for comparison only. Case counts.
 */
export const foldName = (name: string): string => unhomoglyph(name.normalize('NFC').replace(invisible, '').trim()).normalize('NFC').trim();
