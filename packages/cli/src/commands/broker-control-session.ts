import { stringifyJson, type JsonObject } from '@hermod/kernel'
import { Announcer } from '../announcer.ts'
import { brokerFiles, type BrokerFiles } from '../broker/broker-files.ts'
import { statusText } from '../broker/broker-status.ts'
import { askBroker } from '../broker/control-client.ts'
import { readPid } from '../broker/pid-file.ts'
import type { CliIo } from '../cli-io.ts'
import { runCommand } from '../command-run.ts'
import { EXIT } from '../exit-codes.ts'
import { visibleJson } from '../visible-text.ts'
import type { BrokerControlPlan } from './broker-control-plan.ts'

/** Asks a running broker how it is, or tells it to end; resolves with the exit status. */
export function controlBroker(plan: BrokerControlPlan, io: CliIo): Promise<number> {
  const announcer = new Announcer(io.stderr, plan.quiet)
  return runCommand(io, announcer, {
    connection: { source: { type: 'environment', url: '' } },
    run: async (signal) => {
      const files = brokerFiles(plan.pidFile, io.env)
      const pid = await readPid(files.pidFile)
      const { timeoutMs } = plan
      const answer = await askBroker(files.controlSocket, plan.request, {
        timeoutMs,
        signal,
        clock: io.clock,
      })
      if (answer === undefined) {
        if (plan.request === 'status' && plan.output === 'json') show({ running: false }, io)
        announcer.alert(absence(files, pid))
        return EXIT.negative
      }
      if (plan.request === 'stop')
        announcer.note(`the broker${pid === undefined ? '' : ` (process ${pid})`} has ended`)
      else if (plan.output === 'json') show(answer, io)
      else io.stdout.write(statusText(answer))
      return EXIT.ok
    },
  })
}

function show(status: JsonObject, io: CliIo): void {
  io.stdout.write(`${visibleJson(stringifyJson(status))}\n`)
}

function absence({ pidFile }: BrokerFiles, pid: number | undefined): string {
  const stale = pid === undefined ? '' : `; the file is of process ${pid}, which is no broker any more`
  return `no broker runs under ${pidFile}${stale}`
}
