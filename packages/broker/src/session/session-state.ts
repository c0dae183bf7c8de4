/**
 * - `greeting`, `handshake`: nobody is known yet.
 * - `running`.
 * - `closed`: a close was written, or agreed to. What comes is read and dropped: a socket that is closed over unread
 *   bytes is reset, and then the client may never see the close.
 * - `gone`.
 */
export type SessionState = 'greeting' | 'handshake' | 'running' | 'closed' | 'gone'
