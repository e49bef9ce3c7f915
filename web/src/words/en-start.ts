/** Everything on the list of open searches, in English. */
export const enStart = {
  percent_of_squares: "{share} of the squares are done",
  list_title: "Open searches",
  list_intro: "Look at new satellite images, one square at a time, and say what you see. No account needed.",
  list_empty_title: "No search is open now",
  list_empty: "Come back when you hear of one. Nothing needs to be prepared.",
  list_trouble_title: "The list did not come",
  list_trouble: "We need the network for it, and try again by ourselves.",
  list_start: "Start looking",
  list_start_at: "Start looking: {title}",
  list_progress: "{share} of {cells} squares done",
} as const;
