/** What a person has seen, kept in the browser. Some hosts allow no storage: there it is forgotten. */

const TOUR = "rnnbow-tour";
const SEEN = "seen";

export function hasSeenTour(): boolean {
  try {
    return localStorage.getItem(TOUR) === SEEN;
  } catch {
    return false;
  }
}

export function rememberTour() {
  try {
    localStorage.setItem(TOUR, SEEN);
  } catch {
    // Then it is offered again: no harm.
  }
}
