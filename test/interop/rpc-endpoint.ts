import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject, JsonValue } from '@hermod/kernel'
import { RemoteException, Target, type RpcCall, type TargetParts } from '@hermod/messaging'

/** What a server was given. */
export interface SeenCall {
  readonly method: string
  readonly args: JsonObject
  readonly context: JsonObject
}

/** A class that no client knows. */
class Surprise extends Error {}

/** The methods of the peer `oslo_rpc_server`, which says what they do. */
export class RpcEndpoint {
  readonly target: Target
  readonly seen: SeenCall[] = []
  text = ''
  readonly #server: string

  constructor(server: string, { namespace, version = '1.0', legacyNamespaces }: TargetParts) {
    this.target = new Target({ namespace, version, legacyNamespaces })
    this.#server = server
  }

  append(args: { text: string }, call: RpcCall): string {
    this.seen.push({ method: call.method, args, context: call.context })
    return (this.text += args.text)
  }

  echo({ value }: { value: JsonValue }, call: RpcCall): JsonValue {
    this.seen.push({ method: call.method, args: { value }, context: call.context })
    return value
  }

  number({ text }: { text: string }): number {
    return Number(text)
  }

  async delay({ seconds }: { seconds: number }): Promise<number> {
    await sleep(seconds * 1000)
    return seconds
  }

  fail({ kind, message }: { kind: string; message: string }): never {
    throw new RemoteException(kind, message)
  }

  run_out({ message, missing }: { message: string; missing: number }): never {
    throw new RemoteException('OutOfStock', message, { module: 'oslo_rpc_errors', kwargs: { missing } })
  }

  surprise({ message }: { message: string }): never {
    throw new Surprise(message)
  }

  who(): JsonValue {
    return [this.#server, this.target.namespace ?? null, this.target.version ?? null]
  }

  nothing(): void {}
}
