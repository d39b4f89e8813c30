/** The public door of the transfer package: a file becomes chunks, and again a file. */
export { type IndexedEntry, Manifest } from './manifest/manifest.ts';
export { type ScanOptions, type ScanResult, scanSources, type SourceRoot } from './manifest/scan.ts';
export { type AnnouncedManifest, ManifestWriter } from './manifest/writer.ts';
export { type AssessedEntry, assess, assessEntries } from './receiver/assessment.ts';
export type { PlaceOptions, PlaceResult } from './receiver/received.ts';
export { componentViolation } from './path-policy.ts';
export { Receiver } from './receiver/receiver.ts';
export { utimesArgument } from './thread/file-times.ts';
export { removeOwnTree } from './remove-tree.ts';
export { Compression } from './sender/compression.ts';
export { HaveSet } from './sender/have-set.ts';
export { Pacer } from './sender/pacer.ts';
export { type DataSink, sendContent } from './sender/send-content.ts';
export type { EntryFailureCode } from './sender/source-problems.ts';
export { StageClock } from './stage-clock.ts';
export { fileRootOf } from './store/content-root.ts';
export { assertFreeBytes, freeSpace } from './store/free-space.ts';
export type { PlacementLog } from './store/placement.ts';
