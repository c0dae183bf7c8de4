import { conformance } from './conformance.ts'
import { directReply } from './scripts/direct-reply.ts'
import { lengthLimits, priorities } from './scripts/queue-limits.ts'
import { quorumQueues, streams } from './scripts/quorum-queues.ts'

conformance([lengthLimits, priorities, directReply, quorumQueues, streams])
