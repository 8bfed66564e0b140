-- All that matching reads of a package and of an image stands in columns of their own, so that whoever
-- asks about some packages, or holds all of them, need not inflate package sets and heads.
-- What was there before is filled in by `inventories::fill_in`.
ALTER TABLE packages ADD COLUMN kind {text};
ALTER TABLE packages ADD COLUMN source_version {text};
ALTER TABLE packages ADD COLUMN author {text};
ALTER TABLE packages ADD COLUMN owner {text};
-- As JSON: `null` where there is none.
ALTER TABLE inventories ADD COLUMN distro {text};
