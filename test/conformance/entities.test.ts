import { conformance } from './conformance.ts'
import { exchanges } from './scripts/exchanges.ts'
import { exclusiveQueues, queueDeclare } from './scripts/queue-declare.ts'

conformance([exchanges, queueDeclare, exclusiveQueues])
