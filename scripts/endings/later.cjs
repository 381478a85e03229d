// Loaded into an agentctl by NODE_OPTIONS: this machine's clock, as it is ENDINGS_LATER_MS from now.
const laterMs = Number(process.env.ENDINGS_LATER_MS);
const Now = Date;
globalThis.Date = class extends Now {
  constructor(...given) {
    super(...(given.length === 0 ? [Now.now() + laterMs] : given));
  }
  static now() {
    return Now.now() + laterMs;
  }
};
