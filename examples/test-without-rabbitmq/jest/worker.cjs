/** The code under test: what a worker fails on is put into the queue again, once. */
exports.startWorker = async function startWorker(connection, work) {
  const channel = await connection.createChannel()
  await channel.assertQueue('parcels')
  await channel.consume('parcels', async (message) => {
    try {
      await work(message.content.toString())
      channel.ack(message)
    } catch {
      channel.nack(message, false, !message.fields.redelivered)
    }
  })
}
