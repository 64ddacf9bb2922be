export { type BindingBook, openBindingBook } from "./binding-book.ts";
export { type EventBook, openEventBook } from "./event-book.ts";
export { connectAny, type Dial } from "./session.ts";
export { type FleetTarget, fleetTarget, machineTarget } from "./target.ts";
export { type MachineView, makeWorker, type Worker, type WorkerDeps } from "./worker.ts";
