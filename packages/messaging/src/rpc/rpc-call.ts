import type { JsonObject } from '@hermod/kernel'

/** What a method of an endpoint learns about the request, beside its arguments. */
export interface RpcCall<Context = JsonObject> {
  /** The caller's context, as the serializer reads it: a claim, for whoever reaches the broker can write it. */
  readonly context: Context
  /** As the caller wrote it; undefined: the default namespace. */
  readonly namespace: string | undefined
  /** As the caller wrote it, `1.0` where it wrote none. */
  readonly version: string
  readonly method: string
  /** Texts that travelled beside the message; empty where the driver has none. */
  readonly headers: Readonly<Record<string, string>>
  /** A call, and no cast. */
  readonly expectsReply: boolean
  /** Aborts when the server stops and waits no longer; what the method returns then reaches nobody. */
  readonly signal: AbortSignal
}
