/**
 * A message for DATA (RFC 5321 §4.5.2), with the final dot; a dot at the start of a line is doubled. Every line ends in
 * CRLF without a bare CR or LF, so no server can mistake a line for the end of the message.
 */
export function dotStuffed(raw: Buffer): Buffer {
  const lines = raw
    .toString('latin1')
    .replace(/\r\n|\r|\n/g, '\r\n')
    .replace(/^\.|(?<=\n)\./g, '..')
  return Buffer.from(`${lines}${lines === '' || lines.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1')
}
