/** The organiser's pages: finds out which one the address means, and asks for the key where it is needed. */
import "../shared/tokens.css";
import "./organiser.css";
import { render } from "preact";
import { followSystemTheme } from "../shared/theme.ts";
import { Campaigns } from "./campaigns/Campaigns.tsx";
import { Lazy } from "./Lazy.tsx";
import { type Route, routeOf } from "./route.ts";
import { isSigningIn, key, startSession } from "./session.ts";
import { SignIn } from "./signin/SignIn.tsx";

const loadLive = () => import("./live/Live.tsx").then((module) => module.Live);
const loadWizard = () => import("./wizard/Wizard.tsx").then((module) => module.Wizard);

function Page({ route }: { route: Route }) {
  // The numbers of the live page are public; everything else is for organisers.
  if (route.page === "live")
    return isSigningIn.value ? <SignIn canLeave /> : <Lazy load={loadLive} props={{ slug: route.slug }} />;
  if (!key.value) return <SignIn />;
  if (route.page === "list") return <Campaigns />;
  const draft = route.page === "new" ? route.draft : null;
  return <Lazy load={loadWizard} props={{ slug: route.page === "edit" ? route.slug : null, draft }} />;
}

followSystemTheme();
startSession();
render(<Page route={routeOf(location.pathname, location.search)} />, document.getElementById("page")!);
