/** The methods that every server of the bench has. */
export interface BenchMethods {
  /** A call: returns the text. */
  echo(args: { readonly text: string }): string
  /** A cast. */
  note(args: { readonly text: string }): void
  /** A call: returns when the server was noted so many times since it started. */
  noted(args: { readonly count: number }): Promise<void>
}

/** A client of a server that has {@link BenchMethods}. */
export interface RpcSession {
  echo(text: string): Promise<string>
  /** Resolves when the library lets go of it, which with confirms is when the broker has it. */
  note(text: string): Promise<void>
  noted(count: number): Promise<void>
  close(): Promise<void>
}

/** A notifier, and what listens, on one connection each. */
export interface NotificationSession {
  /** Makes what emits notifications of priority info to the topic. */
  notifier(topic: string): (payload: object) => Promise<void>
  /** Handles `count` notifications of the topic and resolves in the last handler. */
  listen(topic: string, count: number, onPayload: (payload: unknown) => void): Promise<void>
  close(): Promise<void>
}

/** One way to do remote calls, and where a library has them notifications. */
export interface OsloContestant {
  /** Serves {@link BenchMethods} on the topic. */
  serve(url: string, topic: string): Promise<AsyncDisposable>
  connect(url: string, topic: string): Promise<RpcSession>
  /** Absent: it takes no part in these. */
  connectNotifications?(url: string): NotificationSession
}
