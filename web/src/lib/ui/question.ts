/** A question asked before something that takes effect on people: title, consequence, and what "yes" does. */
export interface Question {
  title: string;
  body: string;
  action: string;
  danger?: boolean;
  yes: () => Promise<void>;
}
