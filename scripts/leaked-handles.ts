/** A FileHandle that nobody closed fails the tests whose garbage it was: Node only warns, and once (DEP0137) means to throw. */
process.on('warning', ({ message }) => {
  if (message.includes('on garbage collection')) throw new Error(`a file was never closed: ${message}`);
});
