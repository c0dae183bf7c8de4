import type { FieldTable } from '../wire/field-table.ts'
import { formatServer, type BrokerAddress } from './broker-address.ts'

/** Which broker answered, as it says itself. */
export interface BrokerIdentity {
  /** `host:port` */
  readonly address: string
  readonly virtualHost: string
  readonly product: string
  readonly version: string
  readonly properties: FieldTable
}

/** @param properties what the broker said of itself in `connection.start`. */
export function identifyBroker(address: BrokerAddress, properties: FieldTable): BrokerIdentity {
  const text = (name: string): string => {
    const value = properties[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    address: formatServer(address),
    virtualHost: address.virtualHost,
    product: text('product'),
    version: text('version'),
    properties,
  }
}
