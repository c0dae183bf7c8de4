// The other tests here are for node:test.
export default { test: { include: ['amqp-connection-manager.test.mjs'] } }
