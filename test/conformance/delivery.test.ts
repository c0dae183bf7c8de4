import { conformance } from './conformance.ts'
import { consuming, singleActiveConsumer } from './scripts/consuming.ts'
import { deadLetters, expiry } from './scripts/dead-letters.ts'
import { confirms, publishing, transactions } from './scripts/publishing.ts'

conformance([consuming, singleActiveConsumer, publishing, confirms, transactions, expiry, deadLetters])
