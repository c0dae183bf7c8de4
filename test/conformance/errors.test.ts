import { conformance } from './conformance.ts'
import { channelErrors } from './scripts/channel-errors.ts'
import { connectionErrors, frameErrors } from './scripts/connection-errors.ts'
import { handshake } from './scripts/handshake.ts'

conformance([handshake, frameErrors, connectionErrors, channelErrors])
