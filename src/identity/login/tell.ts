/** Says one thing to whoever logs in, in one line. */
export type Tell = (text: string) => void;
