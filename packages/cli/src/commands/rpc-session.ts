import { RemoteError, type JsonObject } from '@hermod/kernel'
import { createRpcClient, type Transport } from '@hermod/messaging'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { consents } from '../consent.ts'
import { EXIT } from '../exit-codes.ts'
import { readJsonObject, readMembers } from '../json-file.ts'
import { outcomeLine, outcomeOfError, prettyResult, type RpcOutcome } from '../output/rpc-outcome.ts'
import { targetText } from '../target-argument.ts'
import { rpcExchange } from '../rpc-exchange.ts'
import { withTransport } from '../transport-session.ts'
import type { RpcRequestPlan } from './rpc-plan.ts'

/** Sends one request, and for a call waits for its reply; resolves with the exit status. */
export function rpcRequest(plan: RpcRequestPlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  const { connection, exchange } = plan
  return runCommand(io, announcer, {
    connection,
    run: async (signal) => {
      const args = await readMembers(plan.args, io.stdin)
      const context = await contextOf(plan, io)
      if (plan.question !== undefined && !(await consents(io, plan.question, signal))) {
        announcer.alert('nothing was sent')
        return EXIT.negative
      }
      const transportRequest = { connection, purpose: 'rpc', exchange, signal } as const
      const outcome = await withTransport(transportRequest, io, announcer, (transport) =>
        send(plan, transport, args, context, signal),
      )
      show(plan, io, outcome)
      if (plan.kind !== 'call')
        announcer.note(`sent ${plan.kind} '${plan.method}' to ${targetText(plan.target)}`)
      return EXIT.ok
    },
    onError: (error) => {
      show(plan, io, outcomeOfError(error))
      if (plan.verbose && error instanceof RemoteError) {
        for (const line of error.remoteTraceback.trimEnd().split('\n')) announcer.alert(line)
      }
    },
  })
}

async function contextOf({ contextFile }: RpcRequestPlan, io: CliIo): Promise<JsonObject> {
  return contextFile === undefined ? {} : readJsonObject(contextFile, 'the context', io.stdin)
}

async function send(
  plan: RpcRequestPlan,
  transport: Transport,
  args: JsonObject,
  context: JsonObject,
  signal: AbortSignal,
): Promise<RpcOutcome> {
  const { kind, method, namespace, version, timeoutMs } = plan
  const { topic, server } = plan.target
  const fanout = kind === 'fanout'
  const client = createRpcClient(
    transport,
    { exchange: rpcExchange(topic, plan.exchange, transport), topic, server, namespace, version, fanout },
    {
      callMonitorTimeoutMs: plan.callMonitorMs,
      // A user wants to hear at once that nobody is there. A fanout that reaches nobody is an ordinary one.
      atLeastOnce: !fanout && transport.capabilities.mandatory,
    },
  )
  const options = { context, timeoutMs, signal }
  if (kind === 'call') return { ok: true, result: await client.call(method, args, options) }
  await client.cast(method, args, options)
  return { ok: true, result: null }
}

function show({ kind, output }: RpcRequestPlan, { stdout }: CliIo, outcome: RpcOutcome): void {
  if (output === 'json') stdout.write(outcomeLine(outcome))
  else if (outcome.ok && kind === 'call') stdout.write(prettyResult(outcome.result))
}
