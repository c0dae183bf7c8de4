import { createRpcServer, defineEndpoint, type RpcServer, type Transport } from '@hermod/messaging'
import { Announcer } from '../announcer.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { URL_VARIABLE } from '../connection-flags.ts'
import { consents } from '../consent.ts'
import { EXIT } from '../exit-codes.ts'
import { rpcExchange } from '../rpc-exchange.ts'
import { anyMethod } from '../serve/any-method.ts'
import { loadHandlers } from '../serve/handlers-file.ts'
import { programEndpoint } from '../serve/program-endpoint.ts'
import { announceRequests } from '../serve/request-log.ts'
import { withTransport } from '../transport-session.ts'
import type { ServePlan } from './serve-plan.ts'

/** How long methods that run are waited for at the end. */
const DRAIN_LIMIT_MS = 10_000

/** Serves until somebody stops it or the broker does; resolves with the exit status. */
export function serve(plan: ServePlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  const { connection, exchange } = plan
  return runCommand(io, announcer, {
    connection,
    run: async (signal, hurry) => {
      const endpoints = await endpointsOf(plan, io, hurry)
      if (plan.question !== undefined && !(await consents(io, plan.question, signal))) {
        announcer.alert('nothing is served')
        return EXIT.negative
      }
      return withTransport(
        { connection, purpose: 'rpc', exchange, signal },
        io,
        announcer,
        async (transport) => {
          const server = serverOf(plan, endpoints, transport)
          const endLog = announceRequests(announcer, io.clock)
          try {
            await server.start({ signal })
            announcer.note(startText(plan, server, transport))
            await server.wait({ signal })
          } finally {
            await server.stop({ timeoutMs: DRAIN_LIMIT_MS })
            endLog()
          }
          announcer.alert('the server ended by itself')
          return EXIT.connection
        },
      )
    },
  })
}

async function endpointsOf(plan: ServePlan, io: CliIo, hurry: AbortSignal): Promise<readonly object[]> {
  const { source, namespace, version, timeoutMs } = plan
  switch (source.type) {
    case 'handlers':
      return loadHandlers(source.path, { namespace, version })
    case 'echo':
      return [
        defineEndpoint(
          anyMethod((args) => args),
          { namespace, version },
        ),
      ]
    case 'exec': {
      // The URL of the broker is none of the program's business: it holds a password.
      const { [URL_VARIABLE]: _, ...env } = io.env
      const methods = programEndpoint({ argv: source.argv, env, timeoutMs }, hurry)
      return [defineEndpoint(methods, { namespace, version })]
    }
  }
}

function serverOf(plan: ServePlan, endpoints: readonly object[], transport: Transport): RpcServer {
  const { topic, server, concurrency, accessPolicy } = plan
  const exchange = rpcExchange(topic, plan.exchange, transport)
  return createRpcServer(
    transport,
    { exchange, topic, server },
    { endpoints, concurrency, accessPolicy, ping: true },
  )
}

function startText({ source }: ServePlan, { target }: RpcServer, { controlExchange }: Transport): string {
  const { topic = '', server = '', exchange = controlExchange } = target
  const how =
    source.type === 'echo'
      ? 'every method answers with its arguments'
      : source.type === 'exec'
        ? `every method starts ${source.argv[0]}`
        : `methods of ${source.path}`
  return `serving topic '${topic}' as '${server}' on exchange '${exchange}': ${how}`
}
