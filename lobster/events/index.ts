export { type EventData, type EventKind, type Journal, openJournal } from "./journal.ts";
export { eventStreams, type LiveHead, resumeAfter, STREAM_TIMES, type StreamSource, type StreamTimes } from "./stream.ts";
