import { LOAD_PLANS, type LoadTask } from './load-task.ts'
import { startEmbedded } from './loaded-broker.ts'
import { buildLoad, runLoad } from './run-load.ts'

/** How often a load is put on the broker whose profile is taken. */
const TIMES = 3

/** Messages a second where the load is paced. */
const RATE = 20_000

/** Records a CPU profile of the embedded broker's process for each load; tells where they are. */
export async function profileLoads(
  folder: string,
  tasks: readonly LoadTask[],
  quick: boolean,
): Promise<readonly string[]> {
  const program = await buildLoad()
  const files: string[] = []
  for (const task of tasks.filter((each) => LOAD_PLANS[each].program !== 'messaging')) {
    const file = `${folder}embedded-${task}.cpuprofile`
    const { isFresh, isPaced } = LOAD_PLANS[task]
    await using broker = await startEmbedded(file)
    for (let i = 0; i < (isFresh ? 1 : TIMES); i++)
      await runLoad(program, { task, broker, quick, ...(isPaced && { rate: RATE }) })
    files.push(file)
  }
  return files
}
