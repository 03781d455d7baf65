/**
 * The script of the workshop: what the room sees at each step. The sentences
 * are in _locales, by the step's name: workshopStep_ is its title, workshopText_
 * what the room reads, workshopNote_ what the trainer does.
 */

/**
 * @typedef {"Welcome" | "Guess" | "Before" | "Photos" | "After" | "Compare" | "Limits" | "Yourself"} StepName
 *
 * @typedef {object} Step
 * @property {StepName} name
 * @property {"" | "before" | "both"} stage which side of the stage is there
 * @property {"" | "watch" | "protect"} mode in which the site is booked on
 * @property {boolean} [photos] whether those stand out who serve photos
 * @property {boolean} [others] whether those are named whom nothing stops
 */

/** @type {readonly Step[]} */
export const STEPS = [
  { name: "Welcome", stage: "", mode: "" },
  { name: "Guess", stage: "", mode: "" },
  { name: "Before", stage: "before", mode: "watch" },
  { name: "Photos", stage: "before", mode: "", photos: true },
  { name: "After", stage: "both", mode: "protect" },
  { name: "Compare", stage: "both", mode: "" },
  { name: "Limits", stage: "", mode: "", others: true },
  { name: "Yourself", stage: "", mode: "" },
];
