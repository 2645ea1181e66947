// Loaded with --import: gives the process a wall clock that is off by the milliseconds that it was last sent.
const RealDate = Date
let offset = Number(process.env.CLOCK_OFFSET ?? 0)

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset)
    else super(...given)
  }
  static now() {
    return RealDate.now() + offset
  }
}

process.on('message', (message) => {
  offset = message.offset
})
process.channel?.unref()
