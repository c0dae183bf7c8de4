import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
const POOL_BYTES = 4096

const pool = Buffer.allocUnsafeSlow(POOL_BYTES)
let used = POOL_BYTES

/**
 * A new id as messages carry it: 32 hexadecimal digits in lower case, without a pattern. The randomness of many is
 * fetched at once, because each call needs two.
 */
export function newMessageId(): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('hex', used - ID_BYTES, used)
}
