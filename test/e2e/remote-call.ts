/** What stands for a token inside of remote calls. */
export const CALL_TOKEN = `gAAAAABm${'Rp7cT0kEn'.repeat(14)}`

/** A request as nova sends it to a compute host, with the token of the user who asked. */
export function remoteCall(): { readonly body_base64: string; readonly properties: object } {
  const message = {
    method: 'build_and_run_instance',
    args: { instance: { 'nova_object.data': { uuid: '178b0921-8f85-4257-88b6-2e743b5a975c' } } },
    version: '6.0',
    _msg_id: '0b2a4f6c8e0d4c4b9f1d3e5a7c9b1d3f',
    _reply_q: 'reply_5d1f3a7c9b1d4e6f8a0c2e4a6c8e0a2c',
    _timeout: null,
    _unique_id: '7a9c1e3f5b7d4a6c8e0a2c4e6a8c0e2a',
    _context_auth_token: CALL_TOKEN,
    _context_user: 'demo',
    _context_service_catalog: [{ type: 'volumev3', endpoints: [{ publicURL: 'http://volume.example/v3' }] }],
  }
  const envelope = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }
  return {
    body_base64: Buffer.from(JSON.stringify(envelope)).toString('base64'),
    properties: {
      content_type: 'application/json',
      content_encoding: 'utf-8',
      delivery_mode: 2,
      priority: 0,
      headers: {},
    },
  }
}
