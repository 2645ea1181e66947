/**
 * A message as DATA wants it (RFC 5321 §4.5.2), with the final dot: every line ends in CRLF and no bare CR or LF is
 * left, so that no server can be made to see an end of the message in its middle; a dot that begins a line is doubled.
 */
export function dotStuffed(raw: Buffer): Buffer {
  const lines = raw
    .toString('latin1')
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replace(/^\.|(?<=\n)\./g, '..')
  return Buffer.from(`${lines}${lines === '' || lines.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1')
}
