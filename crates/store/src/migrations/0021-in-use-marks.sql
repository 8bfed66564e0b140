-- What stands for what was seen being loaded, so that whoever judges by it sees that it is another without
-- unpacking it. Nothing, until whoever looks has told it once more.
ALTER TABLE in_use ADD COLUMN mark {text} NOT NULL DEFAULT '';
