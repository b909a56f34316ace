SELECT count(*) FROM documents WHERE instr(recipe, ?1) > 0
