SELECT documents.recipe, documents.environment, documents.dataset FROM documents JOIN runs ON runs.number = documents.run WHERE runs.id = ?1
