import { contractCase, type ContractCase } from './contract-case.ts'
import type { DriverContractSubject } from './contract-bench.ts'
import { callDemands } from './call-demands.ts'
import { deliveryDemands } from './delivery-demands.ts'
import { lifeDemands } from './life-demands.ts'
import { notificationDemands } from './notification-demands.ts'

/**
 * What every driver of `@hermod/messaging` owes the patterns, as tests: of each capability that it claims, that it has
 * it; of each that it does not claim, that asking for it is refused.
 *
 * They know no test runner: `for (const { name, run } of driverContract(subject)) it(name, run)`. Each one opens
 * transports of its own, uses a topic that nobody else knows and closes what it opened; nothing is opened before a test
 * runs.
 */
export function driverContract(subject: DriverContractSubject): readonly ContractCase[] {
  return [...callDemands, ...deliveryDemands, ...notificationDemands, ...lifeDemands].map((demand) =>
    contractCase(subject, demand),
  )
}
