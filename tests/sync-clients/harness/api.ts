/** The API in a few words. */

export interface Volunteer {
  id: string;
  token: string;
}

export function call(server: string, method: string, path: string, bearer?: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {};
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  return fetch(server + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
}

/** The body of an answer that has this status. */
export async function expect(status: number, answer: Promise<Response>): Promise<unknown> {
  const response = await answer;
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

export async function signUp(server: string): Promise<Volunteer> {
  const made = (await expect(201, call(server, "POST", "/v1/volunteers"))) as { volunteer_id: string; token: string };
  return { id: made.volunteer_id, token: made.token };
}
