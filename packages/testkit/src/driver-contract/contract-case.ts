import { strict as assert } from 'node:assert'
import type { DriverCapabilities } from '@hermod/messaging'
import { ContractBench, rejectsWith, type DriverContractSubject } from './contract-bench.ts'

type Capability = keyof DriverCapabilities

/** One demand of the contract, as a function of the bench that it is tested on. */
export interface ContractDemand {
  readonly name: string
  readonly needs: readonly Capability[]
  readonly body: (bench: ContractBench) => Promise<void>
}

/** One test, for whatever runs tests. */
export interface ContractCase {
  readonly name: string
  /** Rejects when the driver breaks the contract. */
  readonly run: () => Promise<void>
}

/** What asks for a capability that the driver lacks; the others are asked for by the patterns. */
const ASKING: { readonly [Name in Capability]?: (bench: ContractBench) => Promise<unknown> } = {
  rpc: (bench) => bench.call(),
  fanout: (bench) => bench.cast({}, { fanout: true }),
  mandatory: (bench) => bench.cast({}, {}, { mandatory: true }),
  callMonitoring: (bench) => bench.call({}, { monitorTimeoutMs: 2000 }),
  notifications: (bench) => bench.notify('contract.asked'),
  pools: (bench) => bench.listen(bench.peer, [bench.source('info')], { pool: 'contract' }),
}

/** The test of a demand; of what the driver says it cannot do, it tests that it is refused. */
export function contractCase(subject: DriverContractSubject, demand: ContractDemand): ContractCase {
  const run = async (): Promise<void> => {
    const bench = new ContractBench(subject)
    try {
      const missing = demand.needs.filter((capability) => !bench.client.capabilities[capability])
      if (missing.length === 0) await demand.body(bench)
      for (const capability of missing) {
        const asking = ASKING[capability]
        if (asking !== undefined) await rejectsWith(asking(bench), 'E_UNSUPPORTED')
        assert.equal(bench.client.capabilities[capability], false)
      }
    } finally {
      await bench.close()
    }
  }
  return { name: demand.name, run }
}
