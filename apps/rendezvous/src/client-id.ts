/** One connection of one client, for as long as this process lives. A peer that reconnects gets another. */
export type ClientId = number;
