/** Which of the organiser's pages an address means, and the addresses of these pages. */
export type Route =
  | { page: "list" }
  | { page: "new"; draft: string | null }
  | { page: "edit"; slug: string }
  | { page: "live"; slug: string };

/** `/organise`, `/organise/new`, `/organise/{slug}`, `/organise/{slug}/edit`; what it does not know is the list. */
export function routeOf(pathname: string, search = ""): Route {
  const [, , first = "", second = ""] = pathname.split("/");
  if (first === "") return { page: "list" };
  // `new` is a word of these addresses; a campaign of that slug is still reached under /edit.
  if (first === "new" && second === "") return { page: "new", draft: new URLSearchParams(search).get("draft") };
  const slug = decoded(first);
  return second === "edit" ? { page: "edit", slug } : { page: "live", slug };
}

export const listPath = "/organise";
export const newPath = "/organise/new";
export const livePath = (slug: string) => `/organise/${encodeURIComponent(slug)}`;
export const editPath = (slug: string) => `${livePath(slug)}/edit`;
/** The wizard on a draft that is on this device only. */
export const localPath = (draft: string) => `${newPath}?draft=${encodeURIComponent(draft)}`;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
