//! Documents as other tools write them, cut down to what each shows.
