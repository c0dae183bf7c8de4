/** Who is at the other end of a connection, as the system says it. */
export interface Peer {
  /** For example `127.0.0.1:50532 -> 127.0.0.1:5672`; of a connection within the process its number. */
  readonly name: string
  readonly address: string
  /** Whether it is this machine: decided by the peer's address, and never by the one that it called. */
  readonly loopback: boolean
  readonly secure: boolean
}

/** What a link tells its session. Nothing that happens in there may throw. */
export interface LinkEvents {
  /** Bytes came. They never change again. */
  received(bytes: Buffer): void
  /** The other side will send nothing more. */
  ended(): void
  /** The link is gone. */
  lost(): void
}

/** The way to one client: a socket or a stream within the process, with the faults that a test puts on it. */
export interface Link {
  readonly peer: Peer
  /** What has come from the client, as far as this process has it, and was not handed over yet. */
  readonly unreadBytes: number
  /** Begins to read. */
  open(events: LinkEvents): void
  /** Writes; `taken` is called once the system has the bytes, and not at all when the link is gone. */
  write(bytes: Buffer, taken: () => void): void
  /** Stops reading; what was read already may still come. */
  pause(): void
  resume(): void
  /** Hangs up in good order, behind what was written. */
  end(): void
  /** Breaks the connection. */
  destroy(): void
}
