import { createBroker } from '@hermod/broker'
import { startProfiler, writeProfile } from '../jobs/profiler.ts'

/** The default would hold publishers up before a backlog of a million messages of 1 KiB is there. */
const MEMORY_LIMIT_BYTES = 4 * 2 ** 30

// Listens until stdin ends. Behaves as the RabbitMQ that it is measured beside. Its argument names the file of a CPU
// profile, where one is wanted.
const [, , profileFile] = process.argv
const broker = createBroker({ memoryLimitBytes: MEMORY_LIMIT_BYTES, profile: 'rabbitmq-3.10' })
const { url } = await broker.listen()
const profiler = profileFile === undefined ? undefined : await startProfiler()
process.stdin.resume().once('end', () => void end())
process.stdout.write(`${url}\n`)

async function end(): Promise<void> {
  if (profiler !== undefined && profileFile !== undefined) await writeProfile(profiler, profileFile)
  await broker.close()
}
