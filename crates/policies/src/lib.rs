//! Domain: the site's rules, in Cedar: who may open what, from where, with how much proof, at which hour.
