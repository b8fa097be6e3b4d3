SELECT decision_document(id) AS decision FROM moderation_decisions WHERE id = $1
