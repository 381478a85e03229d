import { type AnswerContext, answerRequest } from "./answer-request.js";
import type { EndpointLimits } from "./limits.js";
import { type OpenServer, openServer } from "./open-server.js";
import type { FindRoute } from "./routes.js";

const CUTS = {
  malformed: { reason: "malformed", message: "something other than a request, or one with too long a head" },
  slow: { reason: "slow", message: "a request that took too long to arrive" },
} as const;

/** The servers of one lease, which are closed together. */
export interface Servers {
  open(): Promise<{ readonly host: string; readonly answerBy: (findRoute: FindRoute) => void }>;
  closeOnFailure<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function collectServers(context: AnswerContext, limits: EndpointLimits): Servers {
  const all: OpenServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(all.map((server) => server.close()));
  };
  return {
    open: async () => {
      const server = await openServer(limits, (cut) => context.log.add(CUTS[cut]));
      all.push(server);
      const { host } = server;
      const answerBy = (findRoute: FindRoute): void => {
        server.handle((incoming) => answerRequest(incoming, host, findRoute, context));
      };
      return { host, answerBy };
    },
    closeOnFailure: async (work) => {
      try {
        return await work();
      } catch (error) {
        await close();
        throw error;
      }
    },
    close,
  };
}
