/** Why what was taken back was not seen to be, at length and in a few words. */
export interface Unseen {
  readonly text: string;
  readonly reason: string;
}
