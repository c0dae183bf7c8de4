import { isHermodError, NoSuchMethodError, RemoteError, sleep, UnsupportedVersionError } from '@hermod/kernel'
import { createRpcClient, PING_METHOD, type RpcClient, type Transport } from '@hermod/messaging'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { EXIT } from '../exit-codes.ts'
import { pingLine, pingRecord, type PingAnswer } from '../output/ping-line.ts'
import { outcomeLine } from '../output/rpc-outcome.ts'
import { targetText, type TargetArgument } from '../target-argument.ts'
import { rpcExchange } from '../rpc-exchange.ts'
import { withTransport } from '../transport-session.ts'
import type { PingPlan } from './ping-plan.ts'

/** Of several answers the first of these counts. */
const EXIT_BY_KIND: readonly (readonly [PingAnswer['kind'], number])[] = [
  ['absent', EXIT.undeliverable],
  ['silent', EXIT.timeout],
  ['failed', EXIT.remote],
  ['not-pingable', EXIT.remote],
]

/** Pings each target some times and shows each answer; resolves with the exit status. */
export function ping(plan: PingPlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  const { connection, exchange } = plan
  return runCommand(io, announcer, {
    connection,
    run: (signal) =>
      withTransport({ connection, purpose: 'rpc', exchange, signal }, io, announcer, async (transport) => {
        const kinds = await pingInRounds(plan, io, transport, signal)
        if (kinds.has('not-pingable'))
          announcer.note(
            'a server that knows no ping is alive all the same; it answers pings once its [DEFAULT] rpc_ping_enabled is true',
          )
        return EXIT_BY_KIND.find(([kind]) => kinds.has(kind))?.[1] ?? EXIT.ok
      }),
  })
}

async function pingInRounds(
  plan: PingPlan,
  io: CliIo,
  transport: Transport,
  signal: AbortSignal,
): Promise<ReadonlySet<PingAnswer['kind']>> {
  const clients = plan.targets.map((target) => [target, clientFor(target, plan, transport)] as const)
  const width = Math.max(...plan.targets.map((target) => targetText(target).length))
  const kinds = new Set<PingAnswer['kind']>()
  for (let round = 1; round <= plan.count; round++) {
    const startMs = io.clock.monotonicMs()
    const pings = clients.map(async ([target, client]) => {
      const answer = await answerOf(target, round, client, plan, io, signal)
      kinds.add(answer.kind)
      io.stdout.write(plan.output === 'json' ? outcomeLine(pingRecord(answer)) : pingLine(answer, width))
    })
    await Promise.all(pings)
    if (round < plan.count)
      await sleep(Math.max(0, startMs + plan.intervalMs - io.clock.monotonicMs()), { signal }, io.clock)
  }
  return kinds
}

function clientFor(
  { topic, server }: TargetArgument,
  { exchange, version }: PingPlan,
  transport: Transport,
): RpcClient {
  // Where no queue is, nobody has ever been: better told at once than by a time that is over.
  return createRpcClient(
    transport,
    { exchange: rpcExchange(topic, exchange, transport), topic, server, version },
    { atLeastOnce: transport.capabilities.mandatory },
  )
}

async function answerOf(
  target: TargetArgument,
  round: number,
  client: RpcClient,
  { timeoutMs }: PingPlan,
  { clock }: CliIo,
  signal: AbortSignal,
): Promise<PingAnswer> {
  const startMs = clock.monotonicMs()
  const facts = (): Pick<PingAnswer, 'target' | 'round' | 'tookMs'> => ({
    target,
    round,
    tookMs: clock.monotonicMs() - startMs,
  })
  try {
    await client.call(PING_METHOD, {}, { timeoutMs, signal })
    return { ...facts(), kind: 'pong' }
  } catch (error) {
    const kind = kindOf(error)
    if (kind === undefined) throw error
    return { ...facts(), kind, error }
  }
}

/** Undefined: it says nothing of the server. */
function kindOf(error: unknown): Exclude<PingAnswer['kind'], 'pong'> | undefined {
  if (error instanceof NoSuchMethodError || error instanceof UnsupportedVersionError) return 'not-pingable'
  if (error instanceof RemoteError) return 'failed'
  if (!isHermodError(error)) return undefined
  if (error.code === 'E_TIMEOUT') return 'silent'
  return error.code === 'E_UNROUTABLE' ? 'absent' : undefined
}
