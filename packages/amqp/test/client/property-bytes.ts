import { frameBytes } from '@hermod/testkit'
import type { BasicProperties } from '../../src/index.ts'
import { writeProperties } from '../../src/wire/basic-properties.ts'

/** A property list as bytes, to compare what was read with what was meant. */
export function propertyBytes(properties: BasicProperties): string {
  return frameBytes((writer) => writeProperties(writer, properties)).toString('hex')
}
